#!/usr/bin/env python3
"""Trains the encoder stage of the detector and appends it to the n-gram stage's file.

usage: encoder.py HELD_OUT.jsonl MODEL.lin URL KEY HARMLESS.txt…   (the ordinary harmless texts among the rows)
HELD_OUT: what heng-injection-train --held-out wrote: {"text","label","fold","odds"}, each row's odds by weights that never saw its pattern.
URL: a running Heng (http://127.0.0.1:8460/v1) for the vectors. Folds are by pattern, so that what is measured is patterns never seen.
File: "ENC1", dimensions, hidden (uint32), then float32: mean, inverse deviation, hidden weights (hidden x dimensions), hidden bias, output
weights, output bias, weight of the n-grams' log-odds, weight of the encoder's, offset for Latin and for Chinese texts, threshold.
"""
import json
import pathlib
import struct
import sys
import urllib.request

import numpy as np

HIDDEN, EPOCHS, BATCH, DECAY, DROPOUT = 128, 30, 64, 1e-3, 0.5
ORDINARY_WRONG, TRIGGER_WRONG = 0.01, 0.15  # harmless texts that may be flagged: ordinary ones; those written with the words of attacks


def vectors(texts, url, key, model):
    out = []
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # equal lengths together
    texts = [texts[i] for i in order]
    for i in range(0, len(texts), 64):
        body = json.dumps({"model": model, "input": [t[:600] for t in texts[i:i + 64]], "heng": {"kind": "query"}}).encode()
        request = urllib.request.Request(url + "/embeddings", body, {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
        data = json.load(urllib.request.urlopen(request, timeout=600))["data"]
        out += [row["embedding"] for row in data]
        print(f"\r  vectors {len(out)} of {len(texts)}", end="", file=sys.stderr)
    print(file=sys.stderr)
    found = np.empty((len(texts), len(out[0])), np.float32)
    found[order] = np.array(out, np.float32)
    return found


class Head:
    def __init__(self, x, y, weight, seed=3):
        random = np.random.default_rng(seed)
        self.mean, self.inverse = x.mean(0), 1 / (x.std(0) + 1e-6)
        x = (x - self.mean) * self.inverse
        n, d = x.shape
        p = [random.normal(0, np.sqrt(2 / d), (HIDDEN, d)).astype(np.float32), np.zeros(HIDDEN, np.float32),
             random.normal(0, np.sqrt(1 / HIDDEN), HIDDEN).astype(np.float32), np.zeros(1, np.float32)]
        m, v = [np.zeros_like(a) for a in p], [np.zeros_like(a) for a in p]
        average, step, steps = None, 0, EPOCHS * (n // BATCH + 1)
        for epoch in range(EPOCHS):
            order = random.permutation(n)
            for i in range(0, n, BATCH):
                at = order[i:i + BATCH]
                xb = x[at] * (random.random((len(at), d)) > 0.1) / 0.9
                h = xb @ p[0].T + p[1]
                keep = (h > 0) * (random.random(h.shape) > DROPOUT) / (1 - DROPOUT)
                a = h * keep
                g = (1 / (1 + np.exp(-(a @ p[2] + p[3][0]))) - (0.97 * y[at] + 0.015)) * weight[at] / len(at)
                dh = np.outer(g, p[2]) * keep
                grads = [dh.T @ xb, dh.sum(0), a.T @ g, np.array([g.sum()])]
                step += 1
                rate = 2e-3 * min(1, step / 50) * max(0.02, 1 - step / steps)
                for k in range(4):
                    m[k] = 0.9 * m[k] + 0.1 * grads[k]
                    v[k] = 0.999 * v[k] + 0.001 * grads[k] ** 2
                    p[k] = p[k] * (1 - rate * DECAY * 10 * (k in (0, 2))) - rate * (m[k] / (1 - 0.9 ** step)) / (np.sqrt(v[k] / (1 - 0.999 ** step)) + 1e-8)
                    p[k] = p[k].astype(np.float32)
            if epoch >= EPOCHS * 2 // 3:
                average = [a.copy() for a in p] if average is None else [0.8 * a + 0.2 * b for a, b in zip(average, p)]
        self.p = average

    def odds(self, x):
        h = np.maximum(((x - self.mean) * self.inverse) @ self.p[0].T + self.p[1], 0)
        return h @ self.p[2] + self.p[3][0]


def platt(features, y, weight):
    """Logistic regression by Newton's method, a little ridge."""
    x = np.c_[features, np.ones(len(y))]
    w = np.zeros(x.shape[1])
    for _ in range(50):
        q = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ ((q - y) * weight) + 1e-3 * w
        hessian = (x * (q * (1 - q) * weight)[:, None]).T @ x + 1e-3 * np.eye(len(w))
        w -= np.linalg.solve(hessian, gradient)
    return w


def threshold_of(score, ordinary, trigger):
    """The lowest score at which both kinds of harmless texts stay within their shares."""
    a, b = np.sort(score[ordinary])[::-1], np.sort(score[trigger])[::-1]
    return max(a[int(ORDINARY_WRONG * len(a))], b[int(TRIGGER_WRONG * len(b))])


def main():
    held, model_file, url, key = sys.argv[1:5]
    plain = {line for file in sys.argv[5:] for line in pathlib.Path(file).read_text(encoding="utf-8").split("\n")}
    rows = [json.loads(line) for line in open(held, encoding="utf-8")]
    seen, kept = set(), []
    for row in rows:
        if (row["text"], row["label"]) not in seen:
            seen.add((row["text"], row["label"]))
            kept.append(row)
    texts = [r["text"] for r in kept]
    y = np.array([r["label"] for r in kept], np.float32)
    fold = np.array([r["fold"] for r in kept])
    grams = np.array([r["odds"] for r in kept], np.float32)
    ordinary = np.array([r["label"] == 0 and r["text"] in plain for r in kept])
    trigger = (y == 0) & ~ordinary
    cache = pathlib.Path(held + ".npy")
    if cache.exists() and len(np.load(cache, mmap_mode="r")) == len(texts):
        x = np.load(cache)
    else:
        x = vectors(texts, url, key, "multilingual-e5-small")
        np.save(cache, x)
    weight = np.where(y > 0, len(y) / (2 * y.sum()), len(y) / (2 * (len(y) - y.sum()))).astype(np.float32)
    encoder = np.zeros(len(y), np.float32)
    for f in range(5):
        encoder[fold == f] = Head(x[fold != f], y[fold != f], weight[fold != f]).odds(x[fold == f])
    w = platt(np.c_[grams, encoder], y, np.ones(len(y)))
    fused = w[0] * grams + w[1] * encoder
    chinese = np.array([any("\u4e00" <= c <= "\u9fff" for c in t) for t in texts])
    offsets, grams_at = [], []
    for language, of in (("en", ~chinese), ("zh", chinese)):
        for name, score in (("n-grams", grams), ("encoder", encoder), ("fused", fused)):
            at = threshold_of(score, ordinary & of, trigger & of)
            print(f"patterns never seen, {language}, {name}: recall {np.mean(score[(y == 1) & of] > at):.3f} of {int(((y == 1) & of).sum())}, "
                  f"{100 * ORDINARY_WRONG:.0f} % of {int((ordinary & of).sum())} ordinary and {100 * TRIGGER_WRONG:.0f} % of {int((trigger & of).sum())} trigger texts flagged")
        offsets.append(-at)
        grams_at.append(threshold_of(grams, ordinary & of, trigger & of))
    head = Head(x, y, weight)
    old = pathlib.Path(model_file).read_bytes()
    grams_bytes = old[:old.index(b"ENC1")] if b"ENC1" in old else old
    # without vectors the n-grams decide alone, by the stricter of their two thresholds
    slope, offset = struct.unpack_from("<2f", grams_bytes, 8)
    grams_bytes = grams_bytes[:20] + struct.pack("<f", 1 / (1 + np.exp(-(slope * max(grams_at) + offset)))) + grams_bytes[24:]
    # the offsets put each language's threshold at one half: a score says how far a text is from it
    parts = [head.mean, head.inverse, head.p[0].ravel(), head.p[1], head.p[2], head.p[3], np.array([w[0], w[1], offsets[0], offsets[1], 0.5])]
    body = b"ENC1" + struct.pack("<II", x.shape[1], HIDDEN) + np.concatenate(parts).astype("<f4").tobytes()
    pathlib.Path(model_file).write_bytes(grams_bytes + body)
    print(f"weights: n-grams {w[0]:.2f}, encoder {w[1]:.2f}; offsets {offsets[0]:.2f}, {offsets[1]:.2f}")


if __name__ == "__main__":
    main()
