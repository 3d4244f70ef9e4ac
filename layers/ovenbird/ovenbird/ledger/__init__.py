"""What is remembered because AWS cannot: lanes, doorbells, rollouts, address claims (DynamoDB)."""
