"""What could be learnt by cheating, before anything is trained: clues that a model needs no finding for."""
