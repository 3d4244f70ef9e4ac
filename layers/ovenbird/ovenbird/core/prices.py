"""What things cost, in US dollars, us-east-1, as read in November 2026.

Only for the estimate in a plan: verify before you rely on it. The prices are those that public
pages and other projects quote (AWS Lambda Power Tuning's template for Lambda and Step Functions,
Infracost's and vendors' pages for the rest); AWS's own price list has the last word.
"""

from __future__ import annotations

STATE_TRANSITION = 0.025 / 1000
LAMBDA_REQUEST = 0.20 / 1_000_000
LAMBDA_GB_SECOND = 0.0000133334  # arm64
LEDGER_WRITE = 0.625 / 1_000_000
LEDGER_READ = 0.125 / 1_000_000
SNAPSHOT_GB_MONTH = 0.05
PUBLIC_IPV4_HOUR = 0.005

# No price list of instance types travels with us: a general purpose one with two vCPUs and 8 GB.
INSTANCE_HOUR = 0.096
# A base image's disk; snapshots are incremental, so this is the most for a small one.
IMAGE_GB = 8
