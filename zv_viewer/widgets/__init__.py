"""Dock widgets and dialogs; they read sessions and set their settings, nothing else."""
