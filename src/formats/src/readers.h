#pragma once

#include <string>
#include <string_view>

#include "builder.h"

namespace heng::formats {

// Each fills the builder; what cannot be read is told by Builder::fail.
void read_text(std::string_view bytes, Builder& builder);
void read_csv(const std::string& name, std::string_view bytes, Builder& builder);
void read_markdown(std::string_view bytes, Builder& builder);
void read_html(std::string_view bytes, Builder& builder);
void read_email(std::string_view bytes, Builder& builder);
void read_docx(std::string_view bytes, Builder& builder);
void read_xlsx(std::string_view bytes, Builder& builder);
void read_pptx(std::string_view bytes, Builder& builder);

}  // namespace heng::formats
