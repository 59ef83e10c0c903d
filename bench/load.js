/* load.js -- how long ONNX Runtime takes to make a session of a model, and the most memory that its process had.
 * SPDX-License-Identifier: MIT
 *
 * Usage: node load.js MODEL LEVEL, where LEVEL is a graphOptimizationLevel. A line of JSON, {"ms", "peak"}. A session
 * of the smallest sample comes first: starting the library is not what is measured. */
"use strict";
const fs = require("fs");
const path = require("path");
const ort = require("onnxruntime-node");

async function main() {
	const options = { graphOptimizationLevel: process.argv[3], intraOpNumThreads: 1, interOpNumThreads: 1 };
	await ort.InferenceSession.create(path.join(__dirname, "../models/fashion-lenet5.onnx"), options);
	const start = process.hrtime.bigint();
	await ort.InferenceSession.create(process.argv[2], options);
	const ms = Number(process.hrtime.bigint() - start) / 1e6;
	const peak = Number(/^VmHWM:\s*(\d+)/m.exec(fs.readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
	console.log(JSON.stringify({ ms, peak }));
}

main();
