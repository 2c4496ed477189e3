export { type Accelerator, type AcceleratorChoice, findAccelerator } from './accelerator.ts';
export { type AgentError, type AgentExit, type AgentProcess, type AgentSpec } from './agent-link.ts';
export { cacheFolder, cacheUsage, digestOf } from './cache.ts';
export { findKernel, type KernelEntry, readKernelList } from './kernel-list.ts';
export { bootGuest, type BootRequest, cleanLab, type Guest, isKernelCached } from './lab.ts';
export type { LabError, LabStage, TellStage } from './lab-error.ts';
export { deviceBar, deviceBdf } from './machine.ts';
