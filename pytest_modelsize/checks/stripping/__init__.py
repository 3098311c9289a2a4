"""What an artifact would weigh without its optimizer state, found by rebuilding it without."""
