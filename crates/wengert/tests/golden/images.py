"""Writes the images that readers are tried with: `python images.py` (Pillow 13.0)."""

import pathlib

from PIL import Image

HERE = pathlib.Path(__file__).parent
colours = Image.new("RGB", (9, 7))
colours.putdata([(20 * x, 30 * y, 10 * (x + y)) for y in range(7) for x in range(9)])
colours.convert("L").save(HERE / "grey.png")
colours.quantize(2).save(HERE / "palette.png", bits=1)
Image.new("I;16", (5, 4), 40000).save(HERE / "sixteen.png")
colours.save(HERE / "colours.jpg", quality=50)
colours.save(HERE / "progressive.jpg", quality=50, progressive=True)
