"""Sample reports for the report and page tests: python3 reports.py DIGITS.npz SOFTMAX_DIGITS.npz OUT

DIGITS.npz holds UCI optdigits (x, y, test_idx); SOFTMAX_DIGITS.npz the test logits of `softmax_digits` and integrated
gradients of eight rows. Numbers are computed here, independently of the product. Writes every-kind.json (one card of each
kind and one of a kind that does not exist), unavailable.json, stopped.json and newer.json.
"""
import base64, json, sys
import numpy as np

data, golden, out = np.load(sys.argv[1]), np.load(sys.argv[2]), sys.argv[3]
logits, y = golden['test/logits'].astype(np.float64), golden['test/y'].astype(int)
rows = data['test_idx'].astype(int)
images = data['x'][rows]
names = [str(k) for k in range(10)]
n = len(y)
p = np.exp(logits - logits.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
hat, c = p.argmax(1), p.max(1)
a = (hat == y).astype(float)


def wilson(k, m, z=1.959963984540054):
    if m == 0:
        return None
    f, d = k / m, 1 + z * z / m
    mid, half = (f + z * z / (2 * m)) / d, z * np.sqrt(f * (1 - f) / m + z * z / (4 * m * m)) / d
    return [max(0.0, mid - half), min(1.0, mid + half)]


def interval(pair, method):
    return {'low': pair[0], 'high': pair[1], 'level': 0.95, 'method': method}


def select(label, mask):
    found = rows[np.flatnonzero(mask)]
    return {'label': label, 'total': int(mask.sum()), 'rows': [int(r) for r in found[:12]]}


def picture(i):
    return {'width': 8, 'height': 8, 'channels': 1, 'base64': base64.b64encode(np.uint8(np.round(images[i] * 255 / 16)).tobytes()).decode()}


confusion = np.zeros((10, 10), int)
np.add.at(confusion, (y, hat), 1)
cells = {}
for t in range(10):
    for h in range(10):
        if confusion[t, h]:
            label = f'{t}, all right' if t == h else f'{t} taken for {h}'
            cells[str(t * 10 + h)] = select(label, (y == t) & (hat == h))
share_row = confusion / confusion.sum(1, keepdims=True)
share_col = confusion / np.maximum(1, confusion.sum(0, keepdims=True))

M = 15
which = (np.arange(1, M) / M)[None, :] < c[:, None]
bins = which.sum(1)
random = np.random.RandomState(0)
draws = random.rand(1000, n) < c[None, :]
count = np.bincount(bins, minlength=M)
acc = [float(a[bins == b].mean()) if count[b] else None for b in range(M)]
conf = [float(c[bins == b].mean()) if count[b] else None for b in range(M)]
null = [draws[:, bins == b].mean(1) if count[b] else None for b in range(M)]
low = [float(np.quantile(v, 0.025)) if v is not None else None for v in null]
high = [float(np.quantile(v, 0.975)) if v is not None else None for v in null]
ece = sum(count[b] / n * abs(acc[b] - conf[b]) for b in range(M) if count[b])
mce = max(abs(acc[b] - conf[b]) for b in range(M) if count[b])
boot = []
for _ in range(500):
    s = random.randint(0, n, n)
    boot.append(sum(abs((a[s][bins[s] == b] - c[s][bins[s] == b]).sum()) for b in range(M)) / n)
nll = float(-np.log(p[np.arange(n), y]).mean())
brier = float(((p - np.eye(10)[y]) ** 2).sum(1).mean())
accuracy = float(a.mean())
order = np.argsort(-c, kind='stable')
coverage = np.arange(1, n + 1) / n
risk = np.cumsum(1 - a[order]) / np.arange(1, n + 1)
loss = -np.log(p[np.arange(n), y])

per_class = []
for k in range(10):
    tp, fp, fn = confusion[k, k], confusion[:, k].sum() - confusion[k, k], confusion[k].sum() - confusion[k, k]
    precision, recall = tp / (tp + fp), tp / (tp + fn)
    per_class.append([names[k], int(tp + fn), float(precision), wilson(tp, tp + fp), float(recall), wilson(tp, tp + fn), float(2 * precision * recall / (precision + recall)), int(rows[np.flatnonzero(y == k)[0]])])

ig, gx = golden['f64/ig_midpoint'], golden['f64/grad_input_target']
at = [int(np.flatnonzero((np.abs(images / 16 * 0.95 - golden['x'][j].reshape(-1)).max(1)) < 0.0501)[0]) for j in range(8)]


def overlay(name, v):
    v = v.reshape(-1)
    s = np.sort(np.abs(v))
    scale = float(s[np.searchsorted(np.cumsum(s), 0.98 * s.sum())])
    return {'name': name, 'width': 8, 'height': 8, 'values': [round(float(x), 6) for x in v], 'scale': scale}


kept = sorted(set(r for cell in cells.values() for r in cell['rows']) | {int(rows[i]) for i in at} | {int(r) for r in rows[order[-12:]]})
position = {int(r): i for i, r in enumerate(rows)}
samples = [{'row': r, 'label': names[y[position[r]]], 'prediction': names[hat[position[r]]], 'confidence': float(c[position[r]]), 'picture': picture(position[r])} for r in kept]
edges = [k / M for k in range(M + 1)]
layers = ['x', 'Flatten', 'Gemm', 'logits']

cards = [
    {'kind': 'number', 'title': 'Scores', 'caption': 'The reference is what a model that is always right and always sure would score.', 'values': [
        {'name': 'accuracy', 'label': 'Accuracy', 'value': accuracy, 'unit': 'fraction', 'interval': interval(wilson(a.sum(), n), 'Wilson'), 'reference': 1},
        {'name': 'ece', 'label': 'Expected calibration error, 15 equal-width bins', 'value': float(ece), 'unit': 'fraction', 'interval': interval([float(np.quantile(boot, .025)), float(np.quantile(boot, .975))], 'bootstrap'), 'reference': 0, 'note': 'noise floor 1.48 %: a calibrated model would score this much by chance'},
        {'name': 'mce', 'label': 'Maximum calibration error', 'value': float(mce), 'unit': 'fraction', 'reference': 0},
        {'name': 'nll', 'label': 'Negative log-likelihood', 'value': nll, 'unit': 'nats', 'reference': 0},
        {'name': 'brier', 'label': 'Brier score', 'value': brier, 'unit': 'none', 'reference': 0},
        {'name': 'rows', 'label': 'Rows', 'value': n, 'unit': 'count'},
        {'name': 'bss', 'label': 'Brier skill score of <b>"one class"</b>', 'value': None, 'unit': 'none', 'note': 'undefined: every row of the class is right'}]},
    {'kind': 'bars', 'title': 'Reliability', 'caption': 'Where bars reach the diagonal, the model is right as often as it says. A bar outside the band differs by more than chance.',
     'x': {'label': 'confidence', 'unit': 'fraction', 'min': 0, 'max': 1}, 'y': {'label': 'accuracy', 'unit': 'fraction', 'min': 0, 'max': 1}, 'edges': edges,
     'series': [{'name': 'accuracy', 'values': acc, 'intervals': [wilson(a[bins == b].sum(), count[b]) for b in range(M)], 'selections': [select(f'confidence {edges[b]:.2f} to {edges[b + 1]:.2f}', bins == b) if count[b] else None for b in range(M)]}],
     'bands': [{'name': 'consistency band', 'low': low, 'high': high}], 'marks': [{'name': 'mean confidence', 'values': conf}], 'diagonal': True},
    {'kind': 'bars', 'title': 'Errors by class', 'x': {'label': 'class', 'unit': 'none'}, 'y': {'label': 'rows', 'unit': 'count'}, 'categories': names,
     'series': [{'name': 'missed', 'values': [int(confusion[k].sum() - confusion[k, k]) for k in range(10)], 'selections': [select(f'{k} missed', (y == k) & (hat != k)) for k in range(10)]},
                {'name': 'false alarms', 'values': [int(confusion[:, k].sum() - confusion[k, k]) for k in range(10)], 'selections': [select(f'wrongly called {k}', (y != k) & (hat == k)) for k in range(10)]}]},
    {'kind': 'heatmap', 'diagonal': True, 'title': 'Confusion matrix', 'caption': 'Rows are the labels, columns what the model said. Choose a cell to see its samples.', 'rows': {'label': 'label', 'names': names}, 'columns': {'label': 'prediction', 'names': names},
     'layers': [{'name': 'counts', 'unit': 'count', 'values': confusion.reshape(-1).tolist()}, {'name': 'share of label', 'unit': 'fraction', 'values': share_row.reshape(-1).tolist(), 'domain': [0, 1]}, {'name': 'share of prediction', 'unit': 'fraction', 'values': share_col.reshape(-1).tolist(), 'domain': [0, 1]}], 'selections': cells},
    {'kind': 'curve', 'title': 'Risk and coverage', 'caption': 'Error rate when only the most confident rows are answered.', 'x': {'label': 'coverage', 'unit': 'fraction', 'min': 0, 'max': 1}, 'y': {'label': 'error rate', 'unit': 'fraction', 'min': 0},
     'lines': [{'name': 'by confidence', 'points': [[float(u), float(v)] for u, v in zip(coverage[9::10], risk[9::10])]}, {'name': 'deciles', 'shape': 'points', 'points': [[k / 10, float(risk[int(n * k / 10) - 1])] for k in range(2, 11, 2)], 'intervals': [wilson((1 - a[order])[:int(n * k / 10)].sum(), int(n * k / 10)) for k in range(2, 11, 2)]}],
     'bands': [{'name': '95 % Wilson', 'points': [[float(coverage[i])] + wilson((1 - a[order])[:i + 1].sum(), i + 1) for i in range(19, n, 20)]}]},
    {'kind': 'table', 'title': 'Per class', 'columns': [{'name': 'class', 'label': 'Class', 'type': 'text'}, {'name': 'support', 'label': 'Support', 'type': 'number', 'unit': 'count'}, {'name': 'precision', 'label': 'Precision', 'type': 'number', 'unit': 'fraction'}, {'name': 'precisionInterval', 'label': '95 % Wilson', 'type': 'interval', 'unit': 'fraction'}, {'name': 'recall', 'label': 'Recall', 'type': 'number', 'unit': 'fraction'}, {'name': 'recallInterval', 'label': '95 % Wilson', 'type': 'interval', 'unit': 'fraction'}, {'name': 'f1', 'label': 'F1', 'type': 'number', 'unit': 'fraction'}, {'name': 'first', 'label': 'First row', 'type': 'row'}], 'rows': per_class},
    {'kind': 'images', 'title': 'Saliency', 'caption': 'Red speaks for the class shown, blue against it; clear is zero.', 'images': [
        {'row': int(rows[i]), 'title': f'{names[y[i]]} taken for {names[hat[i]]}' if y[i] != hat[i] else f'{names[y[i]]}', 'picture': picture(i), 'overlays': [overlay('integrated gradients', ig[j]), overlay('input gradient', gx[j])], 'facts': [{'label': 'probability', 'value': float(p[i, y[i]]), 'unit': 'fraction'}, {'label': 'completeness error', 'value': float(abs(ig[j].sum() - (golden['f64/target'][j] - golden['f64/baseline_target'][j])) / abs(golden['f64/target'][j] - golden['f64/baseline_target'][j])), 'unit': 'fraction'}]} for j, i in enumerate(at)]},
    {'kind': 'scatter', 'title': 'Confidence and loss', 'x': {'label': 'confidence', 'unit': 'fraction'}, 'y': {'label': 'loss', 'unit': 'nats', 'scale': 'log'}, 'groups': [
        {'name': 'right', 'points': [[float(c[i]), float(loss[i])] for i in np.flatnonzero(a == 1)[::3]], 'rows': [int(rows[i]) for i in np.flatnonzero(a == 1)[::3]]},
        {'name': 'wrong', 'points': [[float(c[i]), float(loss[i])] for i in np.flatnonzero(a == 0)], 'rows': [int(rows[i]) for i in np.flatnonzero(a == 0)]}]},
    {'kind': 'text', 'title': 'What the tokens say', 'paragraphs': ['Each word is shaded by how much it speaks for the class spam.'], 'tokens': [{'text': t, 'score': s} for t, s in [('Free', .92), ('entry', .31), ('in', -.04), ('2', .11), ('a', -.02), ('weekly', .22), ('comp', .18), ('to', -.06), ('win', .78), ('<script>alert(1)</script>', .05), ('tickets', .41), ('call', .36), ('mum', -.55)]], 'scale': .92},
    {'kind': 'graph', 'title': 'Model', 'nodes': [{'id': k, 'label': k, 'group': 'value' if k in ('x', 'logits') else 'node'} for k in layers] + [{'id': 'W', 'label': '1.weight', 'group': 'parameter', 'value': 640}, {'id': 'b', 'label': '1.bias', 'group': 'parameter', 'value': 10}], 'edges': [{'from': 'x', 'to': 'Flatten'}, {'from': 'Flatten', 'to': 'Gemm'}, {'from': 'W', 'to': 'Gemm'}, {'from': 'b', 'to': 'Gemm'}, {'from': 'Gemm', 'to': 'logits'}]},
    {'kind': 'radar', 'title': 'A card of a later version', 'axes': ['a', 'b'], 'values': [1, 2]},
]
provenance = {'modelPath': 'models/softmax_digits.onnx', 'modelSha256': '5e1f' + '0' * 60, 'dataPath': 'data/digits.npz', 'dataSha256': 'ab12' + '0' * 60, 'split': 'test', 'rows': n, 'seed': 0,
              'device': {'requested': 'auto', 'actual': 'cpu', 'reason': 'no CUDA or WebGPU adapter was found'}, 'versions': {'assay': '0.1.0', 'onnxruntime': '1.30.0', 'node': '20.20.2'}, 'options': {'bins': 15, 'binning': 'width', 'confidenceLevel': 0.95}, 'seconds': 0.8421, 'startedAt': '2026-11-23T08:00:00.000Z'}
report = {'schema': 1, 'id': 'reliability', 'title': 'Reliability diagram', 'question': 'When the model says 80 %, is it right 80 % of the time?', 'outcome': 'measured',
          'headline': {'accuracy': accuracy, 'ece': float(ece), 'mce': float(mce), 'nll': nll, 'brier': brier, 'rows': n},
          'intervals': {'accuracy': interval(wilson(a.sum(), n), 'Wilson'), 'ece': interval([float(np.quantile(boot, .025)), float(np.quantile(boot, .975))], 'bootstrap')},
          'cards': cards, 'guide': 'Bars below the diagonal mean the model promises more than it keeps; above it, that it is too modest. If bars leave the band, recalibrate (temperature scaling first) and look again; if they stay inside, more data is needed to say more.',
          'notes': ['Pixels 0..16 were divided by 16, as declared.', 'A label like <script>alert("x")</script> & \'quotes\' is shown as it is.'], 'samples': samples, 'provenance': provenance}


def write(name, value):
    with open(f'{out}/{name}.json', 'w') as f:
        json.dump(value, f, separators=(',', ':'), ensure_ascii=False, allow_nan=False)
        f.write('\n')


write('every-kind', report)
empty = {'headline': {}, 'intervals': {}, 'cards': [], 'samples': [], 'notes': []}
write('unavailable', {**report, **empty, 'id': 'confusion-matrix', 'title': 'Confusion matrix', 'question': 'Which classes are taken for which?', 'outcome': 'unavailable', 'reason': {'code': 'evidence/unavailable', 'sentence': "Dataset 'data/photos.npz' has no labels: name the array that holds them with --y."}, 'guide': 'Give the dataset labels to see which classes are taken for which.'})
write('stopped', {**report, **empty, 'id': 'saliency', 'title': 'Saliency', 'question': 'Which pixels speak for the class?', 'outcome': 'stopped', 'reason': {'code': 'job/stopped', 'sentence': 'Stopped on request.'}, 'cards': [{**cards[6], 'images': cards[6]['images'][:2]}], 'notes': ['2 of 16 samples were done.'], 'guide': ''})
write('newer', {**report, 'schema': 2, 'mood': 'fine', 'cards': [cards[0], {'kind': 'curve', 'title': 'Polar curve', 'polar': []}, cards[-1]], 'samples': []})
