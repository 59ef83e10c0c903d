/* onnxruntime.js -- ONNX Runtime's answers to a list of models.
 * SPDX-License-Identifier: MIT
 *
 * Usage: node onnxruntime.js LIST. LIST is a JSON array of {"model", "input", "output", "dims"}: dims are those of one
 * batch of the model's input, or an array of such for a model with several, and the file input holds float32 for a
 * whole number of runs, each with the inputs in the model's order. The model's outputs go to the file output in the
 * same way. A line of JSON on standard output a model, {"model", "outputs"} with the outputs' dimensions of one run, or
 * {"model", "error"}: one that fails does not keep the others from running. */
"use strict";
const fs = require("fs");
const ort = require("onnxruntime-node");

function floats(path) {
	const bytes = fs.readFileSync(path);
	return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

function size(dims) {
	return dims.reduce((product, d) => product * d, 1);
}

/* The tensors of the run whose numbers start at `from`. */
function feed(session, numbers, from, dims) {
	const tensors = {};
	session.inputNames.forEach((name, i) => {
		const count = size(dims[i]);
		tensors[name] = new ort.Tensor("float32", numbers.slice(from, from + count), dims[i]);
		from += count;
	});
	return tensors;
}

function bytes(tensor) {
	if (tensor.type !== "float32")
		throw new Error(`an output is ${tensor.type}, expected float32`);
	return Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

async function answer(row) {
	const session = await ort.InferenceSession.create(row.model, { intraOpNumThreads: 2, interOpNumThreads: 1 });
	const dims = Array.isArray(row.dims[0]) ? row.dims : [row.dims];
	const step = dims.reduce((sum, d) => sum + size(d), 0);
	const numbers = floats(row.input);
	if (session.inputNames.length !== dims.length)
		throw new Error(`the model has ${session.inputNames.length} inputs, expected ${dims.length}`);
	if (numbers.length % step !== 0)
		throw new Error(`${row.input} has ${numbers.length} numbers, expected a multiple of ${step}`);
	const answers = [];
	let outputs;
	for (let from = 0; from < numbers.length; from += step) {
		const results = await session.run(feed(session, numbers, from, dims));
		outputs = session.outputNames.map((name) => results[name].dims);
		answers.push(...session.outputNames.map((name) => bytes(results[name])));
	}
	fs.writeFileSync(row.output, Buffer.concat(answers));
	await session.release();
	return outputs;
}

async function main() {
	for (const row of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) {
		const result = { model: row.model };
		try {
			result.outputs = await answer(row);
		} catch (error) {
			result.error = error.message;
		}
		console.log(JSON.stringify(result));
	}
}

main();
