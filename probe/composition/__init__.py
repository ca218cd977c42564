"""The probe `composition`: does A → B → C equal A → C?"""
