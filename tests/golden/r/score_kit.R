# Score the vectors of the conformance kit with psych::scoreItems.
#
#   Rscript tests/golden/r/score_kit.R
#
# It reads keys.csv beside this file and inputs.csv of every form, and writes kit_scores.csv: a row
# per scale and vector whose items all have legal codes. It knows nothing of mhscreen and does not
# open expected.csv. The forms in answers/ go before the vectors, so that no item is constant.
# Scores on file: R 4.2.2, psych 2.2.9 (packages of Debian 12).

suppressPackageStartupMessages(library(psych))

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
kit <- file.path(here, "..", "..", "..", "benchmarks", "conformance", "kit")
keys <- read.csv(file.path(here, "keys.csv"), colClasses = "character", na.strings = character())
text <- function(file) read.csv(file, colClasses = "character", na.strings = character(),
                                check.names = FALSE)
words <- function(text) strsplit(text, " ", fixed = TRUE)[[1]]
bare <- function(items) sub("^-", "", items)
quietly <- function(value) suppressMessages(suppressWarnings(value))

as_numbers <- function(answers, row) {
  from <- words(row$codes)
  to <- as.numeric(if (row$recode == "") from else words(row$recode))
  as.data.frame(lapply(answers[bare(words(row$items))], function(a) to[match(a, from)]),
                check.names = FALSE)
}

score_scale <- function(answers, parts) {
  score <- 0
  for (i in seq_len(nrow(parts))) {
    items <- words(parts$items[i])
    numbers <- as_numbers(answers, parts[i, ])
    low <- as.numeric(parts$min[i])
    high <- as.numeric(parts$max[i])
    if (length(items) == 1) {
      value <- numbers[[1]]
      score <- score + if (startsWith(items, "-")) low + high - value else value
    } else {
      found <- quietly(scoreItems(
        list(scale = items), numbers, totals = parts$combine[1] != "mean", missing = TRUE,
        impute = "none", min = low, max = high
      ))
      score <- score + as.vector(found$scores)
    }
  }
  score <- score * as.numeric(parts$times[1])
  if (parts$whole[1] == "floor") floor(score) else score
}

lines <- c()
for (instrument in unique(keys$instrument)) {
  rows <- keys[keys$instrument == instrument, ]
  seen <- text(file.path(here, "answers", paste0(instrument, ".csv")))
  folders <- grep(paste0("^", instrument, "-[0-9.]+(-(self|parent|teacher|clinician))?$"),
                  dir(kit), value = TRUE)
  for (form in folders) {
    informant <- sub("^.*-[0-9.]+-?", "", form)
    vectors <- text(file.path(kit, form, "inputs.csv"))
    mine <- rows[informant == "" | vapply(rows$informants, function(all) informant %in% words(all),
                                          TRUE), ]
    for (scale in setdiff(unique(mine$scale), "")) {
      parts <- mine[mine$scale == scale, ]
      items <- unique(bare(unlist(lapply(parts$items, words))))
      if (!all(items %in% names(vectors)) || !all(items %in% names(seen))) next
      legal <- rep(TRUE, nrow(vectors))
      for (i in seq_len(nrow(parts))) {
        for (item in bare(words(parts$items[i]))) {
          legal <- legal & vectors[[item]] %in% words(parts$codes[i])
        }
      }
      both <- rbind(seen[items], vectors[legal, items, drop = FALSE])
      score <- tail(score_scale(both, parts), sum(legal))
      lines <- c(lines, paste(vectors$vector[legal], scale, sprintf("%.10g", score), sep = ","))
    }
  }
}
writeLines(c("vector,scale,score", lines), file.path(here, "kit_scores.csv"))
