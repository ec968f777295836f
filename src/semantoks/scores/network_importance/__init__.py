"""What a score loses without each network."""
