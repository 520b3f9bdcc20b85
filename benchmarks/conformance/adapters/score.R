# A scorer in R: DSRSC and PSS-10. Base R only.
#
#   Rscript score.R dsrsc-1.0.0 < inputs.csv > results.csv

form <- commandArgs(trailingOnly = TRUE)[1]
input <- read.csv(file("stdin"), colClasses = "character", check.names = FALSE)

# Whole numbers from lowest to highest; everything else is no answer.
answers <- function(columns, lowest, highest) {
  cells <- as.matrix(input[columns])
  numbers <- suppressWarnings(as.numeric(cells))
  numbers[is.na(numbers) | numbers < lowest | numbers > highest | numbers %% 1 != 0] <- NA
  matrix(numbers, nrow = nrow(input), dimnames = list(NULL, columns))
}

critical <- function(answer, from) ifelse(is.na(answer), "open", ifelse(answer >= from, "yes", "no"))

if (form == "dsrsc-1.0.0") {
  items <- paste0("q", 1:18)
  x <- answers(items, 0, 2)
  asked <- x
  reversed <- paste0("q", c(1, 2, 4, 7, 8, 9, 11, 12, 13, 16))
  x[, reversed] <- 2 - x[, reversed]
  total <- rowSums(x)  # NA where an answer is missing: no rule gives a score then
  band <- ifelse(is.na(total), "", ifelse(total >= 15, "positive", "negative"))
  out <- data.frame(vector = input$vector, total = total, total.category = band,
                    critical.q10 = critical(asked[, "q10"], 1))
} else if (form == "pss10-1.0.0") {
  x <- answers(paste0("q", 1:10), 0, 4)
  reversed <- c("q4", "q5", "q7", "q8")
  x[, reversed] <- 4 - x[, reversed]
  out <- data.frame(vector = input$vector, total = rowSums(x))
} else {
  stop("this scorer does not know ", form)
}
write.csv(out, stdout(), row.names = FALSE, na = "", quote = FALSE)
