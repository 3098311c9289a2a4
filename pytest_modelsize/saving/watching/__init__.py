"""What is made and saved while a test's body runs, told by the frameworks' own calls."""
