"""The probe `questions`: does the passage that answers come first?"""
