# Accuracy of the DSI score against a reported attempt, by pROC and cutpointr; agreement with true
# scores by betafunctions (Livingston and Lewis) and cacIRT (Lee). Run from this folder:
#   Rscript accuracy.R DATA BETAFUNCTIONS CACIRT
# DATA is the folder with the public data; the other two are the sources of those packages, whose R
# files are read as they are. Writes accuracy.json. Versions are in it.
arguments <- commandArgs(TRUE)
suppressPackageStartupMessages({
  library(jsonlite); library(pROC); library(cutpointr)
})
num <- function(x) unname(as.numeric(x))
d <- read.csv(file.path(arguments[1], "suicide_dsi_cutpointr", "suicide.csv"))
y <- d$suicide == "yes"
curve <- function(s, y) pROC::roc(y, s, levels = c(FALSE, TRUE), direction = "<", quiet = TRUE)
r <- curve(d$dsi, y)
set.seed(1)
boot <- pROC::ci.auc(r, method = "bootstrap", boot.n = 20000, progress = "none")
age <- curve(d$age[!is.na(d$age)], y[!is.na(d$age)])
paired <- pROC::roc.test(curve(d$dsi[!is.na(d$age)], y[!is.na(d$age)]), age, method = "delong", paired = TRUE)
groups <- pROC::roc.test(curve(d$dsi[d$gender == "female"], y[d$gender == "female"]),
                   curve(d$dsi[d$gender == "male"], y[d$gender == "male"]), method = "delong")
cut_by <- function(metric, best, ...) {
  found <- cutpointr(d, dsi, suicide, pos_class = "yes", direction = ">=", method = best,
                     metric = metric, silent = TRUE, ...)
  num(found$optimal_cutpoint[[1]])
}
wilson <- function(x, n) num(prop.test(x, n, correct = FALSE)$conf.int)
at <- function(cut) {
  tp <- sum(d$dsi >= cut & y); tn <- sum(d$dsi < cut & !y)
  list(cut = cut, sensitivity = tp / sum(y), specificity = tn / sum(!y),
       sensitivity_ci = wilson(tp, sum(y)), specificity_ci = wilson(tn, sum(!y)))
}

# Livingston and Lewis: the sources of betafunctions, version as in its DESCRIPTION.
for (file in list.files(file.path(arguments[2], "R"), full.names = TRUE)) source(file)
moments <- function(s, r, top) {
  etl <- ETL(mean(s), var(s), 0, top, r)
  m <- mean(s) / top; v <- r * var(s) / top^2
  size <- m * (1 - m) / v - 1
  list(etl = etl, alpha = m * size, beta = (1 - m) * size)
}
# Truth is judged where the cut stands among the true scores; observed scores by a whole number of
# answers, which is given here so that both programs use the same one.
livingston <- function(s, r, top, cut) {
  p <- moments(s, r, top); n <- round(p$etl)
  k <- floor((cut - 0.5) / top * n + 1)
  f <- function(a, b, what) integrate(function(t) dBeta.4P(t, 0, 1, p$alpha, p$beta) * what(t), a, b,
                                      rel.tol = 1e-10, subdivisions = 1000)$value
  beyond <- function(t) 1 - pbinom(k - 1, n, t)
  short <- function(t) pbinom(k - 1, n, t)
  c <- f(0, 1, function(t) beyond(t)^2 + short(t)^2); g <- f(0, 1, beyond); e <- g^2 + (1 - g)^2
  x <- LL.CA(list(alpha = p$alpha, beta = p$beta, l = 0, u = 1, etl = p$etl), r, cut = k / n,
             truecut = cut / top, min = 0, max = 1)
  list(cut = cut, etl = p$etl, over = f(0, cut / top, beyond), under = f(cut / top, 1, short),
       consistency = c, kappa = (c - e) / (1 - e),
       package_accuracy = x$classification.accuracy$Accuracy,
       package_consistency = x$classification.consistency$p, package_kappa = x$classification.consistency$Kappa)
}
set.seed(7)
long <- rbinom(5000, 27, rbeta(5000, 1.2, 4))
four <- rbinom(20000, 60, rBeta.4P(20000, 0.1, 0.9, 2, 3))
fit <- function(s, r, top) {
  f <- Beta.tp.fit(s, 0, top, reliability = r, true.model = "4P", failsafe = FALSE)
  list(alpha = f$alpha, beta = f$beta, l = f$l, u = f$u, etl = f$etl)
}

# Lee: the sources of cacIRT. Six items of four categories, a graded response model.
for (file in list.files(file.path(arguments[3], "R"), full.names = TRUE)) source(file)
theta <- seq(-5, 5, length.out = 101)
a <- c(1, 1.5, 2, 1.2, 0.8, 1.7)
b <- matrix(c(-1, 0, 1, -0.5, 0.5, 1.5, 0, 1, 2, -1.5, 0, 1.2, -2, -0.3, 1.1, 0.2, 0.9, 1.6), 6, byrow = TRUE)
P <- array(0, c(101, 4, 6))
for (i in 1:6) {
  star <- cbind(1, sapply(1:3, function(k) plogis(a[i] * (theta - b[i, k]))), 0)
  P[, , i] <- star[, 1:4] - star[, 2:5]
}
lee <- Lee.poly.D(c(6, 9), P, list(theta, dnorm(theta)))

writeLines(toJSON(list(
  about = list(made_by = "accuracy.R", R = R.version.string,
               pROC = as.character(packageVersion("pROC")), cutpointr = as.character(packageVersion("cutpointr")),
               betafunctions = read.dcf(file.path(arguments[2], "DESCRIPTION"))[, "Version"][[1]],
               cacIRT = read.dcf(file.path(arguments[3], "DESCRIPTION"))[, "Version"][[1]]),
  area = num(pROC::auc(r)), area_se = sqrt(num(pROC::var(r))), area_ci = num(pROC::ci.auc(r))[c(1, 3)],
  area_ci_bootstrap = num(boot)[c(1, 3)],
  with_age = list(pupils = sum(!is.na(d$age)), areas = num(paired$estimate), z = num(paired$statistic), p = num(paired$p.value)),
  by_gender = list(areas = num(groups$estimate), p = num(groups$p.value)),
  cuts = list(youden = cut_by(youden, maximize_metric), product = cut_by(prod_sens_spec, maximize_metric),
              closest_to_corner = cut_by(roc01, minimize_metric), equal = cut_by(abs_d_sens_spec, minimize_metric),
              kappa = cut_by(cohens_kappa, maximize_metric),
              sensitivity_at_least = cut_by(spec_constrain, maximize_metric, min_constrain = 0.9),
              specificity_at_least = cut_by(sens_constrain, maximize_metric, min_constrain = 0.9),
              lowest_cost = cut_by(misclassification_cost, minimize_metric, cost_fp = 1, cost_fn = 10)),
  at = list(at(2), at(5)),
  livingston = list(counts = num(table(factor(long, 0:27))), reliability = 0.8,
                    cuts = lapply(c(5, 10, 15), function(c) livingston(long, 0.8, 27, c))),
  beta4 = c(list(counts = num(table(factor(four, 0:60))), reliability = 0.9), fit(four, 0.9, 60)),
  lee = list(a = a, b = b, cuts = c(6, 9), accuracy = num(lee$Marginal[1:2, "Accuracy"]), consistency = num(lee$Marginal[1:2, "Consistency"]))
), auto_unbox = TRUE, digits = 12, pretty = TRUE), "accuracy.json")
