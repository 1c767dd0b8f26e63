"""Which pixels moved a logit: attribution methods and the baselines they compare with."""
