"""The pipeline of pipeline.ts on all patients together, with numpy: QC, filterByExpr, DESeq2's size factors, log2,
ComBat (sva, parametric prior), most variable genes. Reads int32 files [patients, genes], prints one JSON object."""

import json
import sys
import time

import numpy as np

asked = json.loads(sys.argv[1])
genes, top = asked["genes"], asked["top"]
parts = [np.fromfile(f, dtype=np.int32).reshape(-1, genes) for f in asked["files"]]
started, used = time.perf_counter(), time.process_time()

batch = np.repeat(np.arange(len(parts)), [p.shape[0] for p in parts])
x = np.concatenate(parts).T.astype(np.float64)
n = x.shape[1]
library = x.sum(axis=0)
detected = (x > 0).sum(axis=1)
sites = np.stack([(x[:, batch == b] > 0).any(axis=1) for b in range(len(parts))]).sum(axis=0)
kept = np.flatnonzero((detected >= 5) & (sites >= len(parts) - 1))

# filterByExpr with two classes of equal size in each site
median = np.median(library)
cut = 10 / median * 1e6
smallest = min(((np.concatenate([np.arange(p.shape[0]) % 2 for p in parts])) == c).sum() for c in (0, 1))
least = 10 + 0.7 * (smallest - 10) if smallest > 10 else smallest
cpm = x[kept] / library * 1e6
kept = kept[((cpm >= cut).sum(axis=1) >= least - 1e-14) & (x[kept].sum(axis=1) >= 15)]
x = x[kept]

# median of ratios to the geometric mean over genes that are positive in every patient
reference = (x > 0).all(axis=1)
logs = np.log(x[reference])
factors = np.exp(np.median(logs - logs.mean(axis=1, keepdims=True), axis=0))
y = np.log2(x / factors + 1)

# ComBat without covariates
means = np.stack([y[:, batch == b].mean(axis=1) for b in range(len(parts))])
sizes = np.bincount(batch)
grand = (means * (sizes / n)[:, None]).sum(axis=0)
residual = y - means[batch].T
variance = (residual**2).sum(axis=1) / n
inner = np.stack([residual[:, batch == b].any(axis=1) for b in range(len(parts))]).all(axis=0)
sd = np.sqrt(np.where(inner, variance, 1))
for b in range(len(parts)):
    of = batch == b
    z = (y[np.ix_(inner, of)] - grand[inner, None]) / sd[inner, None]
    gamma, delta, m = z.mean(axis=1), z.var(axis=1, ddof=1), sizes[b]
    g_bar, t2 = gamma.mean(), gamma.var(ddof=1)
    d_bar, s2 = delta.mean(), delta.var(ddof=1)
    a, c = (2 * s2 + d_bar**2) / s2, (d_bar * s2 + d_bar**3) / s2
    squares = ((z - gamma[:, None]) ** 2).sum(axis=1)
    g_old, d_old, change = gamma, delta, 1.0
    while change > 1e-4:
        g_new = (t2 * m * gamma + d_old * g_bar) / (t2 * m + d_old)
        d_new = (0.5 * (squares + m * (gamma - g_new) ** 2) + c) / (m / 2 + a - 1)
        change = max((np.abs(g_new - g_old) / g_old).max(), (np.abs(d_new - d_old) / d_old).max())
        g_old, d_old = g_new, d_new
    z = (z - g_old[:, None]) / np.sqrt(d_old)[:, None]
    y[np.ix_(inner, of)] = z * sd[inner, None] + grand[inner, None]

spread = y.var(axis=1)
chosen = np.sort(np.argsort(-spread, kind="stable")[:top])
out = y[chosen].astype(np.float32).astype(np.float64)
seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - used
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpuSeconds": cpu_seconds,
            "genes": len(kept),
            "chosen": kept[chosen].tolist(),
            "checks": [float(out.sum()), float((out**2).sum())],
        }
    )
)
