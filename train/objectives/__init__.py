"""What the stages without a new language train on."""
