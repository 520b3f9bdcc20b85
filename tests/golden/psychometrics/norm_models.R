# Continuous norms of the ELFE sample. The likelihoods are written here once more, with dbeta's and
# pnorm's own functions, and maximised by optim; the sinh-arcsinh distribution, the ranks within
# groups and the Taylor model are those of cNORM (its R files, read as they are).
# Run from this folder: Rscript norm_models.R DATA CNORM
# Writes norm_models.json.
arguments <- commandArgs(TRUE)
suppressPackageStartupMessages(library(jsonlite))
num <- function(x) unname(as.numeric(x))
for (file in c("utilities.R", "preparation.R", "shash.R")) source(file.path(arguments[2], "R", file))
d <- read.csv(file.path(arguments[1], "norms_cnorm", "elfe.csv"))
x <- (d$group - 3.5) / 1.5; top <- 28
best <- function(f, start) {
  for (i in 1:6) start <- optim(start, f, method = "BFGS", control = list(maxit = 5000, reltol = 1e-15))$par
  list(par = start, loglik = -f(start))
}
at <- c(2, 3.5, 5); xs <- (at - 3.5) / 1.5
ranks <- function(pmf) lapply(seq_along(xs), function(i) 100 * (cumsum(pmf[i, ]) - pmf[i, ] / 2))

bb <- function(p, x, s) {
  mu <- plogis(p[1] + p[2] * x + p[3] * x^2); n <- exp(-(p[4] + p[5] * x))
  lchoose(top, s) + lbeta(s + mu * n, top - s + (1 - mu) * n) - lbeta(mu * n, (1 - mu) * n)
}
fit_bb <- best(function(p) -sum(bb(p, x, d$raw)), c(0, 1, 0, -1.5, 0))
pmf_bb <- t(sapply(xs, function(v) exp(bb(fit_bb$par, v, 0:top))))

cut_at <- function(F, s) ifelse(s == top, 1, F(s + 0.5)) - ifelse(s == 0, 0, F(s - 0.5))
sh <- function(p, x, s) {
  mu <- p[1] + p[2] * x + p[3] * x^2; sigma <- exp(p[4] + p[5] * x); eps <- p[6] + p[7] * x; delta <- exp(p[8])
  cut_at(function(q) pshash(q, mu, sigma, eps, delta), s)
}
fit_sh <- best(function(p) { v <- -sum(log(pmax(sh(p, x, d$raw), 1e-300))); if (is.finite(v)) v else 1e10 },
               c(mean(d$raw), 5, 0, log(sd(d$raw)), 0, 0, 0, 0))
pmf_sh <- t(sapply(xs, function(v) sh(fit_sh$par, v, 0:top)))

lms <- function(p, x, s) {
  M <- exp(p[1] + p[2] * x + p[3] * x^2); S <- exp(p[4] + p[5] * x); L <- p[6] + p[7] * x
  cut_at(function(q) pnorm((((q + 1) / M)^L - 1) / (L * S)), s)
}
fit_lms <- best(function(p) { v <- -sum(log(pmax(lms(p, x, d$raw), 1e-300))); if (is.finite(v)) v else 1e10 },
                c(log(mean(d$raw)), 0.3, 0, -1, 0, 0.5, 0))
pmf_lms <- t(sapply(xs, function(v) lms(fit_lms$par, v, 0:top)))

# cNORM: ranks within groups, and a model of the terms named in its manual.
r <- suppressMessages(rankByGroup(d, group = "group", raw = "raw"))
third <- unique(r[r$group == 3, c("raw", "percentile", "normValue")]); third <- third[order(third$raw), ]
p <- suppressMessages(computePowers(r, k = 4, norm = "normValue", age = "group"))
m <- lm(raw ~ L1 + L3 + L1A3 + A2 + A3, data = p)
new <- expand.grid(T = seq(30, 70, 5), A = c(2, 3, 4, 5))
predicted <- predict(m, data.frame(L1 = new$T, L3 = new$T^3, L1A3 = new$T * new$A^3, A2 = new$A^2, A3 = new$A^3))
# The terms that mhscreen chooses, by lm, on normal scores and age turned to -1 ... 1.
z <- qnorm(r$percentile)
own <- lm(d$raw ~ x + z + I(x^2) + I(z^2 * x) + I(z * x^2))

writeLines(toJSON(list(
  about = list(made_by = "norm_models.R", R = R.version.string, cNORM = read.dcf(file.path(arguments[2], "DESCRIPTION"))[, "Version"][[1]]),
  at = at,
  beta_binomial = list(degrees = c(2, 1), loglik = fit_bb$loglik, percentile = ranks(pmf_bb)),
  shash = list(degrees = c(2, 1, 1), loglik = fit_sh$loglik, percentile = ranks(pmf_sh)),
  lms = list(degrees = c(2, 1, 1), loglik = fit_lms$loglik, percentile = ranks(pmf_lms)),
  ranks = list(raw = third$raw, percentile = 100 * num(third$percentile), t = num(third$normValue)),
  cnorm = list(t = new$T, group = new$A, raw = num(predicted), r_squared = summary(m)$r.squared),
  own = list(coefficients = num(coef(own)), r_squared = summary(own)$r.squared)
), auto_unbox = TRUE, digits = 10), "norm_models.json")
