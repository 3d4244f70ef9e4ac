"""Our model of AWS: the fleet's half of the sandbox. Its rules come from AWS's documentation."""
