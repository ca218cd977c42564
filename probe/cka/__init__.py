"""The probe `cka`: which layers resemble which?"""
