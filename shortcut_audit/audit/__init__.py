"""Questions of the scores, with every number beside its n and interval. No torch."""
