import type { PDFDocumentProxy } from 'pdfjs-dist';

type PdfJs = typeof import('pdfjs-dist');

let loading: Promise<PdfJs> | undefined;

/// PDF.js comes with the first page that is shown; it is larger than all the rest of the console.
export function pdfJs(): Promise<PdfJs> {
  loading ??= (async () => {
    const [library, worker] = await Promise.all([
      import('pdfjs-dist/legacy/build/pdf.mjs') as Promise<PdfJs>,
      import('pdfjs-dist/legacy/build/pdf.worker.min.mjs?url'),
    ]);
    library.GlobalWorkerOptions.workerSrc = worker.default;
    return library;
  })();
  loading.catch(() => (loading = undefined));
  return loading;
}

/// Opens a document from its bytes. Scripts in it never run, forms are not drawn, nothing is fetched but our own fonts
/// and character maps.
export async function openPdf(bytes: ArrayBuffer): Promise<PDFDocumentProxy> {
  const library = await pdfJs();
  return library.getDocument({
    data: new Uint8Array(bytes.slice(0)), // the worker takes its copy away
    cMapUrl: '/pdf/cmaps/',
    cMapPacked: true,
    standardFontDataUrl: '/pdf/standard_fonts/',
    wasmUrl: '/pdf/wasm/',
    iccUrl: '/pdf/iccs/',
    isEvalSupported: false,
    enableXfa: false,
    maxImageSize: 64 * 1024 * 1024,
  }).promise;
}
