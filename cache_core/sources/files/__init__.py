"""A group whose values are files: in a folder of this machine, or in a bucket of S3 or GCS.

The room knows how a key becomes a path that can't leave its folder, and what type a file has.
"""
