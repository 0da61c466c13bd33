"""The gateway's resources: one file each."""
