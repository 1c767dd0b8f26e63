"""What is measured of one question, one file each: arrays and questions in, estimates out."""
