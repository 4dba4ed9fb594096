"""Makes tests/fixtures/images/ and tests/golden/data/images.npz: images of every kind and the pixels that Pillow reads from them.

python3 images.py FIXTURES GOLDENS      (Pillow >= 9, numpy)
"""
import os, sys
import numpy as np
from PIL import Image

out, goldens = sys.argv[1:3]
y, x = np.mgrid[0:21, 0:35]
rgb = np.stack([128 + 100 * np.sin(x / 7) * np.cos(y / 9), 128 + 90 * np.cos(x / 5 + 1), 128 + 100 * np.sin(y / 6)], -1).clip(0, 255).astype('u1')
im = Image.fromarray(rgb)
grey = im.convert('L')
deep = Image.fromarray((rgb[..., 0].astype('u2') * 257) ^ 5)
turned = Image.Exif()
turned[0x112] = 6
files = {
    'rgb.png': (im, {}), 'rgba.png': (im.convert('RGBA'), {}), 'grey.png': (grey, {}), 'grey-alpha.png': (im.convert('LA'), {}),
    'palette-4.png': (im.quantize(13), {}), 'palette-8.png': (im.quantize(200), {}), 'one-bit.png': (im.convert('1'), {}), 'grey-16.png': (deep, {}),
    'grey.jpg': (grey, {'quality': 85}), '444.jpg': (im, {'quality': 90, 'subsampling': 0}), '422.jpg': (im, {'quality': 80, 'subsampling': 1}),
    '420.jpg': (im, {'quality': 75}), 'progressive.jpg': (im, {'quality': 80, 'progressive': True}), 'turned.jpg': (im, {'quality': 75, 'exif': turned}),
    'optimised.jpg': (im, {'quality': 30, 'optimize': True}),
}
os.makedirs(out, exist_ok=True)
pixels = {}
for name, (image, options) in files.items():
    image.save(f'{out}/{name}', **options)
    back = Image.open(f'{out}/{name}')
    whole = back.mode.startswith('I')
    pixels[name] = np.asarray(back).astype('u2') if whole else np.asarray(back.convert('L' if back.mode in ('L', 'LA', '1') else 'RGB'))
np.savez_compressed(goldens, **pixels)
