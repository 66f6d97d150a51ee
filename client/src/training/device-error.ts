/** What CUDA and its libraries say when a device is gone or broken; read only, never passed on. */
const DEVICE =
  /CUDA_ERROR|cudaError|CUDNN_STATUS|CUBLAS_STATUS|failed to (synchronize|query event)|GPU.*(lost|fallen)/i;

/** Whether the text of a foreign library, or the last line of a dead process, tells of a lost device. */
export function tellsOfLostDevice(text: string): boolean {
  return DEVICE.test(text);
}
