"""What a job makes of a look at the noisy images."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mid_core.cameras import from_plain


def chosen_brightness(settings: Mapping[str, Any], inputs: Any) -> str:
    """Return the ``brightness`` of an extraction; for auto, what the look says.

    Parameters
    ----------
    settings
        Of the extraction.
    inputs
        The job's files; for auto ``inputs.look`` is among them.
    """
    brightness = str(settings.get("brightness", "predicted"))
    if brightness != "auto":
        return brightness
    camera = from_plain(json.loads(Path(inputs.look).read_text()))
    return "developed" if camera.is_developed else "predicted"
