# DIF by R: run from the repository as
#   Rscript tests/golden/psychometrics/dif.R tests/golden/psychometrics
# Needs MASS (ordinal regression), survival (Mantel's test as the score test of a conditional logistic regression) and
# jsonlite. Writes dif.json beside this script.
suppressPackageStartupMessages({ library(jsonlite); library(MASS); library(survival) })
here <- commandArgs(trailingOnly = TRUE)[1]
num <- function(x) unname(as.numeric(x))
two <- read.csv(file.path(here, "two_groups.csv")); two <- two[complete.cases(two), ]
items <- names(two)[-1]; g <- two$group; x <- rowSums(two[items])
binary <- two[items]; binary[] <- lapply(binary, function(v) as.integer(v >= 2)); xb <- rowSums(binary)

regression <- function(y, x) {
  y <- factor(y, ordered = TRUE); n <- length(y)
  l0 <- sum(table(y) * log(table(y) / n))
  m <- if (nlevels(y) == 2) list(glm(y ~ x, binomial), glm(y ~ x + g, binomial), glm(y ~ x * g, binomial))
       else list(polr(y ~ x), polr(y ~ x + g), polr(y ~ x * g))
  l <- sapply(m, logLik); r2 <- function(l) (1 - exp(2 / n * (l0 - l))) / (1 - exp(2 / n * l0))
  list(uniform = 2 * (l[2] - l[1]), non_uniform = 2 * (l[3] - l[2]), total = 2 * (l[3] - l[1]), nagelkerke = r2(l[3]) - r2(l[1]),
       mcfadden = (l[1] - l[3]) / l0, group = num(coef(m[[2]])["g"]), change = num(abs(coef(m[[2]])["x"] / coef(m[[1]])["x"] - 1)))
}
mantel <- function(y, x) {
  # method = "exact" conditions on the numbers of each group and stratum: its score test is Mantel's.
  s <- clogit(g ~ y + strata(x), method = "exact", subset = ave(g, x, FUN = function(v) length(unique(v))) == 2)$score
  out <- list(statistic = num(s))
  if (length(unique(y)) == 2) {
    keep <- x %in% as.numeric(names(which(rowSums(table(x, g) > 0) == 2)))
    t <- mantelhaen.test(table(g[keep], y[keep], x[keep]), correct = FALSE)
    out$mantelhaen <- num(t$statistic); out$log_odds <- log(num(t$estimate))
  }
  m <- tapply(y, list(x, g), mean); n <- table(x, g); both <- n[, 1] > 0 & n[, 2] > 0; w <- n[both, 2] / sum(n[both, 2])
  out$mean_difference <- sum(w * (m[both, 2] - m[both, 1])); out
}
out <- list(about = list(R = R.version.string, MASS = as.character(packageVersion("MASS")), survival = as.character(packageVersion("survival"))),
            forms = nrow(two),
            regression = lapply(two[items], regression, x = x), regression_binary = lapply(binary, regression, x = xb),
            mantel_binary = lapply(binary, mantel, x = xb), mantel = lapply(two[items], mantel, x = x))
write(toJSON(out, auto_unbox = TRUE, digits = 10), file.path(here, "dif.json"))
