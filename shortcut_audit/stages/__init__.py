"""The stages of a run, one file each: every one reads files and writes files of its own."""
