# Work for R's psych, timed; see peers.py. Reads one word a line, answers with one line of JSON.
quiet <- function(work) suppressMessages(suppressWarnings(work))
quiet({library(psych); library(jsonlite)})
folder <- commandArgs(TRUE)[1]; factors <- as.integer(commandArgs(TRUE)[2]); some <- as.integer(commandArgs(TRUE)[3])
size <- as.integer(commandArgs(TRUE)[4])
raw <- readBin(file.path(folder, "items.bin"), "integer", file.size(file.path(folder, "items.bin")), size = 1)
x <- matrix(raw, ncol = size); colnames(x) <- paste0("q", seq_len(size))
work <- list(
  alpha = function() quiet(alpha(x, check.keys = FALSE))$total$raw_alpha,
  polychoric = function() { p <- quiet(polychoric(x[, seq_len(some)], correct = 0, global = TRUE)); p$rho[lower.tri(p$rho)] },
  fa = function() { f <- quiet(fa(x, factors, rotate = "oblimin")); as.numeric(unclass(f$loadings)) }
)
input <- file("stdin", "r")
while (length(line <- readLines(input, 1)) > 0) {
  start <- proc.time()[[3]]
  found <- tryCatch(work[[line]](), error = function(e) conditionMessage(e))
  took <- proc.time()[[3]] - start
  cat(toJSON(list(took, found), digits = 10, auto_unbox = TRUE), "\n", sep = "")
  flush(stdout())
}
