#!/usr/bin/env python3
"""scripts/golden-resize.py: what Pillow makes of small pictures, for test/image/resize.test.ts: resized to cover a square, cropped."""
import base64, json
from PIL import Image

CASES = [(37, 53, 32), (101, 64, 48), (33, 20, 33), (64, 64, 32), (225, 151, 65), (40, 301, 37)]


def picture(width, height):
    data = bytes(((3 * x * x + 5 * y * y + 7 * x * y) // 8 + 85 * c) & 255 for y in range(height) for x in range(width) for c in range(3))
    return Image.frombytes('RGB', (width, height), data)


def cropped(image, side, method):
    scale = max(side / image.height, side / image.width)
    height, width = max(side, int(image.height * scale + 1e-6)), max(side, int(image.width * scale + 1e-6))
    left, top = round((width - side) / 2), round((height - side) / 2)
    return image.resize((width, height), method).crop((left, top, left + side, top + side))


METHODS = {'bilinear': Image.BILINEAR, 'bicubic': Image.BICUBIC}
result = [
    {'width': width, 'height': height, 'side': side, 'interpolation': name, 'pixels': base64.b64encode(cropped(picture(width, height), side, method).tobytes()).decode()}
    for width, height, side in CASES
    for name, method in METHODS.items()
]
with open('test/golden/resize.json', 'w') as file:
    json.dump(result, file, indent=1)
    file.write('\n')
