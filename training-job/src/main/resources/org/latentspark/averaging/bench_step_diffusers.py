"""Trains diffusers' U-Net for a few steps as its own examples do: AdamW, clipping, mean squared error.

Arguments: the model's directory, a safetensors file with the batch, precision, threads, steps. The last line is
"first loss:median seconds of processor time a step:median seconds of wall clock a step:peak resident MiB".
"""

import statistics
import sys
import time

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

directory, batch, precision, threads, steps = sys.argv[1:]
torch.set_num_threads(int(threads))
model = UNet2DConditionModel.from_pretrained(directory, low_cpu_mem_usage=False).train()
batch = load_file(batch)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01)
losses, processor, wall = [], [], []
for step in range(int(steps) + 1):
    at = time.process_time(), time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        predicted = model(batch["noisy"], batch["timesteps"], batch["text"]).sample
    loss = torch.nn.functional.mse_loss(predicted.float(), batch["noise"])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
    processor.append(time.process_time() - at[0])
    wall.append(time.perf_counter() - at[1])
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(f"{losses[0]}:{statistics.median(processor[1:])}:{statistics.median(wall[1:])}:{peak / 1024}")
