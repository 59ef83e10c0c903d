/* session.js -- ONNX Runtime's side of `make bench-evaluator`: runs a network for the driver.
 * SPDX-License-Identifier: MIT
 *
 * Reads lines "infer MODEL BATCH", answers each with the median of some runs in milliseconds. One thread. */
"use strict";
const readline = require("readline");
const ort = require("onnxruntime-node");

const LONG_ENOUGH_MS = 300, MOST_RUNS = 400;
const OPTIONS = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: "all" };
const sessions = new Map();

async function session(model) {
	if (!sessions.has(model))
		sessions.set(model, await ort.InferenceSession.create(model, OPTIONS));
	return sessions.get(model);
}

async function infer(model, batch) {
	const s = await session(model);
	const numbers = new Float32Array(batch * 28 * 28).map((_, i) => (i * 7919 % 1000) / 500 - 1);
	const feed = { [s.inputNames[0]]: new ort.Tensor("float32", numbers, [batch, 1, 28, 28]) };
	const times = [];
	for (let sum = 0; times.length < MOST_RUNS && (times.length < 3 || sum < LONG_ENOUGH_MS);) {
		const start = process.hrtime.bigint();
		await s.run(feed);
		const ms = Number(process.hrtime.bigint() - start) / 1e6;
		times.push(ms);
		sum += ms;
	}
	times.sort((a, b) => a - b);
	return times[times.length >> 1];
}

async function main() {
	for await (const line of readline.createInterface({ input: process.stdin })) {
		const [verb, model, batch] = line.split(" ");
		if (verb !== "infer")
			throw new Error(`'${line}': unknown`);
		console.log((await infer(model, Number(batch))).toFixed(6));
	}
}

main().catch((e) => {
	console.error(`session: ${e.message}`);
	process.exit(1);
});
