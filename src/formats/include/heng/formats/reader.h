#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/document.h"

namespace heng::formats {

enum class Format { pdf, docx, xlsx, pptx, html, markdown, text, csv, email };

/// Limits of one document; each is named in the too_large error that it causes.
struct Limits {
  std::size_t max_unpacked_bytes = 512u << 20;   ///< Of all parts of an archive that are read, together.
  std::size_t max_part_bytes = 256u << 20;       ///< Of one part of an archive.
  std::size_t max_compression_ratio = 200;       ///< Unpacked to packed, for parts above 10 MiB.
  std::size_t max_archive_parts = 20'000;
  std::size_t max_text_bytes = 64u << 20;        ///< Of all blocks together.
  std::size_t max_blocks = 1'000'000;
  std::size_t max_cells = 2'000'000;             ///< Of all tables together.
  int max_depth = 200;                           ///< Of nested elements, tables, list levels, message parts.
  int max_pages = 20'000;
};

struct Attachment {
  std::string name;
  std::string bytes;
};

struct Reading {
  ParsedDocument document;
  std::vector<Attachment> attachments;           ///< Of an e-mail: not parsed here.
};

/// Whether it is to be read by poppler. Looks at the first kilobyte only.
bool is_pdf(std::string_view bytes);

/// Tells the format by the bytes, and by `name` where the bytes leave it open. Errors: unsupported (a known other format,
/// an encrypted file: says what to do), malformed_input (nothing in it).
Result<Format> detect(const std::string& name, std::string_view bytes);

/// Reads any format but PDF. Errors: malformed_input, unsupported (encrypted), too_large (names the limit).
/// Not for the program itself: run inside the sandboxed process. Uses no files, no network, no threads.
Result<Reading> read(Format format, const std::string& name, std::string_view bytes, const Limits& limits);

/// Makes a document of what poppler's tools print of a PDF. `layout`: `pdftotext -bbox-layout`; `fonts`: `pdftohtml -xml
/// -zoom 1`, or empty (then headings are told by size alone).
Result<Reading> read_pdf_layout(std::string_view layout, std::string_view fonts, const Limits& limits);

/// "application/pdf" …
std::string_view media_type(Format format);

}  // namespace heng::formats
