namespace EdgeBroker.Storage.Restoring;

/// <summary>How far restoring is, and at its end what was restored.</summary>
/// <param name="Sessions">Sessions read.</param>
/// <param name="Subscriptions">Subscriptions read.</param>
/// <param name="Deliveries">Deliveries that wait.</param>
/// <param name="Retained">Retained messages read.</param>
/// <param name="Damaged">Rows that were left out because they are damaged.</param>
public readonly record struct RestoreProgress(int Sessions, int Subscriptions, long Deliveries, int Retained, int Damaged);
