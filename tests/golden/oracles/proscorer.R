# Score the vectors of the conformance kit, blanks included, with scoreScale of PROscorerTools.
#
#   Rscript tests/golden/oracles/proscorer.R SOURCE
#
# SOURCE: the unpacked source of the R package PROscorerTools 0.0.4 (MIT licence; nothing else is
# needed). Reads the keys in ../r/keys.csv, missing.csv beside this file and inputs.csv of every
# form, and writes proscorer.csv: a row per scale and vector, empty where no score is given. It
# does not open expected.csv. An answer with no legal code is handed over as missing, since
# scoreScale stops at a number out of range. Scores on file: R 4.2.2.

source_of <- commandArgs(trailingOnly = TRUE)[1]
for (file in list.files(file.path(source_of, "R"), full.names = TRUE)) source(file)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
kit <- file.path(here, "..", "..", "..", "benchmarks", "conformance", "kit")
text <- function(file) read.csv(file, colClasses = "character", na.strings = character(),
                                check.names = FALSE)
keys <- text(file.path(here, "..", "r", "keys.csv"))
missing_rules <- text(file.path(here, "missing.csv"))
words <- function(text) strsplit(text, " ", fixed = TRUE)[[1]]
bare <- function(items) sub("^-", "", items)

score_part <- function(answers, row, okmiss) {
  from <- words(row$codes)
  to <- as.numeric(if (row$recode == "") from else words(row$recode))
  items <- words(row$items)
  numbers <- as.data.frame(lapply(answers[bare(items)], function(a) to[match(a, from)]),
                           check.names = FALSE)
  names(numbers) <- bare(items)
  reversed <- bare(items[startsWith(items, "-")])
  limits <- c(as.numeric(row$min), as.numeric(row$max))
  scoreScale(numbers, items = bare(items), minmax = limits, okmiss = okmiss,
             revitems = if (length(reversed)) reversed else FALSE,
             type = if (row$combine == "mean") "mean" else "sum")[[1]]
}

lines <- c()
for (instrument in unique(keys$instrument)) {
  rows <- keys[keys$instrument == instrument, ]
  folders <- grep(paste0("^", instrument, "-[0-9.]+(-(self|parent|teacher|clinician))?$"),
                  dir(kit), value = TRUE)
  for (form in folders) {
    informant <- sub("^.*-[0-9.]+-?", "", form)
    vectors <- text(file.path(kit, form, "inputs.csv"))
    mine <- rows[informant == "" | vapply(rows$informants, function(all) informant %in% words(all),
                                          TRUE), ]
    scores <- list()
    for (scale in setdiff(unique(mine$scale), "")) {
      parts <- mine[mine$scale == scale, ]
      items <- unique(bare(unlist(lapply(parts$items, words))))
      if (!all(items %in% names(vectors))) next
      rule <- missing_rules[missing_rules$instrument == instrument & missing_rules$scale == scale, ]
      okmiss <- if (nrow(rule) && rule$parts == "") (as.numeric(rule$most_missing) + 0.5) / length(items) else 0
      score <- 0
      for (i in seq_len(nrow(parts))) score <- score + score_part(vectors, parts[i, ], okmiss)
      score <- score * as.numeric(parts$times[1])
      if (parts$whole[1] == "floor") score <- floor(score)
      if (nrow(rule) && rule$rounding == "half_up") score <- floor(score + 0.5)
      # A total of scales has the scores of its scales, each after its own rule.
      if (nrow(rule) && rule$parts != "") score <- Reduce(`+`, scores[words(rule$parts)])
      scores[[scale]] <- score
      value <- ifelse(is.na(score), "", sprintf("%.10g", score))
      lines <- c(lines, paste(vectors$vector, scale, value, sep = ","))
    }
  }
}
writeLines(c("vector,output,value", lines), file.path(here, "proscorer.csv"))
