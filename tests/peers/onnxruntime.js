/* onnxruntime.js -- ONNX Runtime's answers to a list of models.
 * SPDX-License-Identifier: MIT
 *
 * Usage: node onnxruntime.js LIST. LIST is a JSON array of {"model", "input", "output", "dims"}: dims are those of one
 * batch of the model's input, and the file input holds float32 for a whole number of batches. The model's first output
 * for each batch goes to the file output, one after the other. A line of JSON on standard output a model, {"model"} or
 * {"model", "error"}: one that fails does not keep the others from running. */
"use strict";
const fs = require("fs");
const ort = require("onnxruntime-node");

function floats(path) {
	const bytes = fs.readFileSync(path);
	return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

async function answer(row) {
	const session = await ort.InferenceSession.create(row.model, { intraOpNumThreads: 2, interOpNumThreads: 1 });
	const images = floats(row.input);
	const size = row.dims.reduce((product, d) => product * d, 1);
	if (images.length % size !== 0)
		throw new Error(`${row.input} has ${images.length} numbers, expected a multiple of ${size}`);
	const answers = [];
	for (let from = 0; from < images.length; from += size) {
		const batch = new ort.Tensor("float32", images.slice(from, from + size), row.dims);
		const results = await session.run({ [session.inputNames[0]]: batch });
		const logits = results[session.outputNames[0]].data;
		answers.push(Buffer.from(logits.buffer, logits.byteOffset, logits.byteLength));
	}
	fs.writeFileSync(row.output, Buffer.concat(answers));
	await session.release();
}

async function main() {
	for (const row of JSON.parse(fs.readFileSync(process.argv[2], "utf8"))) {
		const result = { model: row.model };
		try {
			await answer(row);
		} catch (error) {
			result.error = error.message;
		}
		console.log(JSON.stringify(result));
	}
}

main();
