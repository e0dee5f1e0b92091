import type { Client } from '../../api/client';
import { type ApiError, toApiError } from '../../api/errors';
import type { UploadReport } from '../../api/types';

export type UploadState = 'queued' | 'sending' | 'parsing' | 'done' | 'failed' | 'empty' | 'cancelled';

/// One file on its way into a knowledge base.
export class Upload {
  state = $state<UploadState>('queued');
  sent = $state(0);
  report = $state.raw<UploadReport>();
  error = $state.raw<ApiError>();
  readonly abort = new AbortController();

  constructor(
    readonly id: number,
    readonly kb: string,
    readonly path: string,
    readonly file: Blob,
    readonly readers: string[],
  ) {}

  get fraction(): number {
    return this.file.size > 0 ? Math.min(this.sent / this.file.size, 1) : 0;
  }

  get finished(): boolean {
    return !['queued', 'sending', 'parsing'].includes(this.state);
  }
}

/// Reading a document takes the machine's time: more at once would not be faster.
const mostAtOnce = 2;

/// The queue of uploads; survives a change of knowledge base.
export class Uploads {
  list = $state<Upload[]>([]);
  /// Roles that may read what is added next, as typed; empty: everyone of the tenant. Holds for picked and dropped files.
  readers = $state('');
  private next = 1;
  private running = 0;

  constructor(
    private readonly client: Client,
    private readonly onFinished: (upload: Upload) => void,
  ) {}

  add(kb: string, files: { path: string; file: Blob }[], readers = rolesOf(this.readers)): void {
    for (const { path, file } of files) this.list.push(new Upload(this.next++, kb, path, file, readers));
    this.pump();
  }

  again(upload: Upload): void {
    this.list = this.list.filter((other) => other !== upload);
    this.add(upload.kb, [{ path: upload.path, file: upload.file }], upload.readers);
  }

  cancel(upload: Upload): void {
    if (upload.state === 'queued') upload.state = 'cancelled';
    upload.abort.abort();
  }

  clearFinished(): void {
    this.list = this.list.filter((upload) => !upload.finished);
  }

  private pump(): void {
    while (this.running < mostAtOnce) {
      const upload = this.list.find((one) => one.state === 'queued');
      if (!upload) return;
      this.running++;
      void this.run(upload).finally(() => {
        this.running--;
        this.onFinished(upload);
        this.pump();
      });
    }
  }

  private async run(upload: Upload): Promise<void> {
    if (upload.file.size === 0) {
      upload.state = 'empty';
      return;
    }
    upload.state = 'sending';
    const handlers = {
      progress: (sent: number) => (upload.sent = sent),
      sent: () => (upload.state = 'parsing'),
    };
    try {
      const { kb, path, file, readers, abort } = upload;
      upload.report = await this.client.upload(kb, path, file, readers, handlers, abort.signal);
      upload.state = upload.report.outcome === 'failed' ? 'failed' : 'done';
    } catch (error) {
      upload.error = toApiError(error);
      upload.state = upload.error.code === 'cancelled' ? 'cancelled' : 'failed';
    }
  }
}

/// The roles in a line of them.
export const rolesOf = (text: string): string[] => text.split(/[,，、;；\s]+/).filter((role) => role !== '');

/// The files of a drop, folders opened, with their paths.
export async function filesOf(transfer: DataTransfer): Promise<{ path: string; file: Blob }[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (entries.length === 0) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const files: { path: string; file: Blob }[] = [];
  for (const entry of entries) await collect(entry, files);
  return files;
}

/// Folders deeper than this, or drops of more files, are cut off: they are dropped by mistake.
const mostDepth = 12;
const mostFiles = 2000;

async function collect(entry: FileSystemEntry, files: { path: string; file: Blob }[], depth = 0): Promise<void> {
  if (depth > mostDepth || files.length >= mostFiles) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    if (!file.name.startsWith('.')) files.push({ path: entry.fullPath.replace(/^\//, ''), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return;
    for (const child of batch) await collect(child, files, depth + 1);
  }
}
