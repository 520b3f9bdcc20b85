# Times a scoring function of psych by R's own clock:
#   Rscript psych.R FUNCTION ANSWERS PUPILS KEYS RUNS SCORES
# ANSWERS are bytes, item by item, 255 where missing; KEYS has a line "scale item item -item ..."
# for each scale. Prints the seconds of each run and, where the system tells, the most memory held, in
# kB; SCORES receives the means, scale by scale.
suppressMessages(suppressWarnings(library(psych)))
given <- commandArgs(TRUE)
pupils <- as.integer(given[3])
lines <- strsplit(readLines(given[4]), " ")
keys <- setNames(lapply(lines, function(line) line[-1]), vapply(lines, `[`, "", 1))
items <- readBin(given[2], "integer", file.size(given[2]), size = 1, signed = FALSE)
items[items == 255L] <- NA
items <- matrix(items, nrow = pupils)
colnames(items) <- paste0("i", seq_len(ncol(items)) - 1)
quiet <- function(work) suppressMessages(suppressWarnings(work))
# The only reversed items are those of the SDQ, from 0 to 2.
work <- switch(given[1],
  scoreVeryFast = function() scoreVeryFast(keys, items, min = 0, max = 2),
  scoreItems = function() {
    scoreItems(keys, items, missing = TRUE, impute = "none", min = 0, max = 2)$scores
  }
)
for (run in seq_len(as.integer(given[5]))) {
  start <- proc.time()[[3]]
  found <- quiet(work())
  cat(proc.time()[[3]] - start, "\n")
}
found[is.nan(found)] <- NA
writeBin(as.vector(as.matrix(found)[, names(keys)]), given[6])
status <- "/proc/self/status"
if (file.exists(status)) cat(grep("^VmHWM", readLines(status), value = TRUE), "\n")
