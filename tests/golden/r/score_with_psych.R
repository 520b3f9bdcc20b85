# Make answers from a fixed seed and score them with psych::scoreItems.
#
#   Rscript tests/golden/r/score_with_psych.R
#
# It reads keys.csv beside this file, and writes answers/<instrument>.csv and scores.csv. It knows
# nothing of mhscreen. Scores on file: R 4.2.2, psych 2.2.9 (packages of Debian 12).

suppressPackageStartupMessages(library(psych))

ROWS <- 20
SEED <- 20240901

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
keys <- read.csv(file.path(here, "keys.csv"), colClasses = "character", na.strings = character())
words <- function(text) strsplit(text, " ", fixed = TRUE)[[1]]
# scoreItems also estimates reliability, and complains that random answers have none.
quietly <- function(value) suppressMessages(suppressWarnings(value))
bare <- function(items) sub("^-", "", items)

# One column per item: a form of first codes, a form of last codes, then every code equally likely.
make_answers <- function(rows) {
  codes <- list()
  for (i in seq_len(nrow(rows))) {
    for (item in bare(words(rows$items[i]))) codes[[item]] <- words(rows$codes[i])
  }
  answers <- lapply(codes, function(all) {
    c(all[1], all[length(all)], all[sample.int(length(all), ROWS - 2, replace = TRUE)])
  })
  as.data.frame(answers, check.names = FALSE)
}

# What psych is given: numbers, after the recoding that the form itself prints.
as_numbers <- function(answers, row) {
  from <- words(row$codes)
  to <- as.numeric(if (row$recode == "") from else words(row$recode))
  items <- bare(words(row$items))
  as.data.frame(lapply(answers[items], function(a) to[match(a, from)]), check.names = FALSE)
}

# A scale with several rows in keys.csv is keyed in parts, because psych has one min and one max.
score_scale <- function(answers, parts) {
  means <- parts$combine[1] == "mean"
  stopifnot(!means || nrow(parts) == 1)
  score <- 0
  for (i in seq_len(nrow(parts))) {
    items <- words(parts$items[i])
    numbers <- as_numbers(answers, parts[i, ])
    stopifnot(vapply(numbers, var, 0) > 0)  # psych drops an item that all forms answer alike
    low <- as.numeric(parts$min[i])
    high <- as.numeric(parts$max[i])
    if (length(items) == 1) {  # psych needs two items
      value <- numbers[[1]]
      score <- score + if (startsWith(items, "-")) low + high - value else value
    } else {
      found <- quietly(scoreItems(
        list(scale = items), numbers, totals = !means, missing = TRUE, impute = "none",
        min = low, max = high
      ))
      score <- score + as.vector(found$scores)
    }
  }
  score <- score * as.numeric(parts$times[1])
  if (parts$whole[1] == "floor") floor(score) else score
}

RNGkind("Mersenne-Twister", "Inversion", "Rejection")
set.seed(SEED)
dir.create(file.path(here, "answers"), showWarnings = FALSE)
lines <- c()
for (instrument in unique(keys$instrument)) {
  rows <- keys[keys$instrument == instrument, ]
  answers <- make_answers(rows)
  file <- file.path(here, "answers", paste0(instrument, ".csv"))
  write.csv(answers, file, row.names = FALSE, quote = FALSE, eol = "\n")
  for (scale in setdiff(unique(rows$scale), "")) {
    score <- score_scale(answers, rows[rows$scale == scale, ])
    lines <- c(lines, paste(c(instrument, scale, sprintf("%.15g", score)), collapse = ","))
  }
}
head <- paste(c("instrument", "scale", seq_len(ROWS)), collapse = ",")
writeLines(c(head, lines), file.path(here, "scores.csv"))
