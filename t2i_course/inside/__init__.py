"""Looking into networks: what the numbers that a generator starts from mean."""
