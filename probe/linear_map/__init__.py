"""The probe `linear-map`: which rung of the ladder of maps suffices?"""
