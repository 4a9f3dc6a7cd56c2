// Scores CVSS vectors: advisories carry vectors, people read scores. Versions 2.0, 3.0, 3.1 (base score;
// temporal and environmental metrics are read over) and 4.0 (the score of all metrics that are given), as
// specified by FIRST: cvss/v2/guide, cvss/v3-1/specification-document §7, cvss/v4.0/specification-document
// §8. Pure functions; anything that is not a complete vector scores nothing.
#pragma once

#include <optional>
#include <string_view>

#include "scan/severity.h"

namespace wharfage::scan {

struct CvssScore {
  int version = 0;  // 20, 30, 31 or 40
  int tenths = 0;   // 0…100: 98 is 9.8
  Severity severity() const {
    return version == 20 ? severity_of_score_v2(tenths) : severity_of_score(tenths);
  }
};

// A v2 vector has no prefix ("AV:N/AC:L/Au:N/C:P/I:P/A:P", in brackets or not).
std::optional<CvssScore> score_cvss(std::string_view vector);

}  // namespace wharfage::scan
