"""Makes the synthetic files of tests/fixtures/data, and the first 100 rows of MNIST's test set from a folder that holds it.

python3 data-fixtures.py OUT [FOLDER_WITH_T10K_GZ]      (numpy >= 1.20)
"""
import gzip, io, struct, sys, zipfile, zlib
import numpy as np

out = sys.argv[1].rstrip('/') + '/'


def gz(body):
    o = io.BytesIO()
    with gzip.GzipFile(fileobj=o, mode='wb', mtime=0, filename='') as g:
        g.write(body)
    return o.getvalue()


if len(sys.argv) > 2:
    n = 100
    read = lambda name: gzip.open(f'{sys.argv[2]}/{name}').read()
    x, y = read('t10k-images-idx3-ubyte.gz'), read('t10k-labels-idx1-ubyte.gz')
    ys = y[:4] + struct.pack('>I', n) + y[8 : 8 + n]
    open(out + 't10k-100-images-idx3-ubyte.gz', 'wb').write(gz(x[:4] + struct.pack('>I', n) + x[8:16] + x[16 : 16 + n * 784]))
    open(out + 't10k-100-labels-idx1-ubyte.gz', 'wb').write(gz(ys))
    open(out + 't10k-100-labels-idx1-ubyte', 'wb').write(ys)

# Every element type, both byte orders, both array orders: value at [i, j, k] is 6 i + 2 j + k - 5 (unsigned: without - 5).
base = np.arange(24).reshape(4, 3, 2) - 5
a = {}
for t in ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8']:
    for name, order in [('le', '<'), ('be', '>')]:
        a[f'{name}_{t}'] = (base + (5 if t[0] == 'u' else 0)).astype(order + t)
a['fortran'] = np.asfortranarray(base.astype('<f4'))
a['fortran_be'] = np.asfortranarray(base.astype('>i2'))
a['flag'] = base > 0
a['unicode'] = np.array(['a', 'bé', '日本', ''])
a['unicode_be'] = a['unicode'].astype('>U2')
a['bytes'] = np.array([b'ab', b'c', b'', b'def'])
a['scalar'] = np.float64(2.5)
a['empty'] = np.zeros((0, 3), 'f4')
a['big'] = np.array([2**63 - 1, -(2**63), 0, 1], 'i8')
np.savez(out + 'types.npz', **a)
np.savez_compressed(out + 'types-deflated.npz', **a)

np.save(out + 'pickled.npy', np.array([{'a': 1}, None], dtype=object), allow_pickle=True)
np.savez(out + 'partly-pickled.npz', x=np.arange(6, dtype='f4').reshape(3, 2), names=np.array(['a', None, 3], dtype=object))
np.save(out + 'fortran.npy', np.asfortranarray(np.arange(12, dtype='f8').reshape(4, 3)))
np.save(out + 'structured.npy', np.zeros(3, dtype=[('a', 'i4'), ('b', 'f4')]))

# A zip64 archive such as a file beyond 4 GiB has: sizes and offset in the extra field, 64-bit end record and its locator.
body = io.BytesIO()
np.save(body, np.arange(10, dtype='i4'))
body, name = body.getvalue(), b'x.npy'
crc = zlib.crc32(body)
local = struct.pack('<IHHHHHIIIHH', 0x04034B50, 45, 0, 0, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), 20) + name
local += struct.pack('<HHQQ', 1, 16, len(body), len(body)) + body
entry = struct.pack('<IHHHHHHIIIHHHHHII', 0x02014B50, 45, 45, 0, 0, 0, 33, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), 28, 0, 0, 0, 0, 0xFFFFFFFF)
entry += name + struct.pack('<HHQQQ', 1, 24, len(body), len(body), 0)
end64 = struct.pack('<IQHHIIQQQQ', 0x06064B50, 44, 45, 45, 0, 0, 1, 1, len(entry), len(local))
locator = struct.pack('<IIQI', 0x07064B50, 0, len(local) + len(entry), 1)
end = struct.pack('<IHHHHIIH', 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
open(out + 'zip64.npz', 'wb').write(local + entry + end64 + locator + end)
