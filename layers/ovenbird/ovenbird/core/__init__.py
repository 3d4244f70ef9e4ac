"""Pure decisions, a noun each. Only the standard library and each other may be imported here."""
