"""The only boto3: a module for each AWS service, a few verbs in each, our errors out."""
