#include "readers.h"

namespace heng::formats {

Result<Reading> read(Format format, const std::string& name, std::string_view bytes, const Limits& limits) {
  Builder builder(limits);
  switch (format) {
    case Format::pdf: return Error(ErrorCode::internal, "a PDF is read through read_pdf_layout");
    case Format::docx: read_docx(bytes, builder); break;
    case Format::xlsx: read_xlsx(bytes, builder); break;
    case Format::pptx: read_pptx(bytes, builder); break;
    case Format::html: read_html(bytes, builder); break;
    case Format::markdown: read_markdown(bytes, builder); break;
    case Format::text: read_text(bytes, builder); break;
    case Format::csv: read_csv(name, bytes, builder); break;
    case Format::email: read_email(bytes, builder); break;
  }
  return builder.take(format);
}

std::string_view media_type(Format format) {
  switch (format) {
    case Format::pdf: return "application/pdf";
    case Format::docx: return "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    case Format::xlsx: return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    case Format::pptx: return "application/vnd.openxmlformats-officedocument.presentationml.presentation";
    case Format::html: return "text/html";
    case Format::markdown: return "text/markdown";
    case Format::text: return "text/plain";
    case Format::csv: return "text/csv";
    case Format::email: return "message/rfc822";
  }
  return "application/octet-stream";
}

}  // namespace heng::formats
