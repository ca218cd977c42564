"""The probe `language-id`: how much of the language does an embedding hold?"""
