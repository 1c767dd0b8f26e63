"""Array shapes, said once.

One letter an axis:

N images · C channels · H height · W width · F findings · K segmentation classes · P patients · S steps
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
"""Any float64 array."""
Bools = NDArray[np.bool_]
"""Any boolean array."""
Ints = NDArray[np.int64]
"""Any int64 array."""
Pixels = NDArray[np.float32]
"""One image, (C, H, W), float32 in [0, 1]: what a reader returns and a network takes."""
Bytes8 = NDArray[np.uint8]
"""Images as stored in memory, (N, C, H, W), uint8."""
Mask = NDArray[np.bool_]
"""One mask, (H, W)."""
Heatmap = NDArray[np.float32]
"""One attribution map, (H, W), in logit units."""
